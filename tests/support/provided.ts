// What the test run hands to every test of a store project: `inject("store")`.

export type StoreUnderTest =
  | { readonly kind: "sqlite" }
  | { readonly kind: "postgres"; readonly adminUrl: string };

declare module "vitest" {
  interface ProvidedContext {
    store: StoreUnderTest;
  }
}
