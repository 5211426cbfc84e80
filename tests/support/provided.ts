// What the test run hands to every test of a project, by `inject`.

export type StoreUnderTest =
  | { readonly kind: "sqlite" }
  | { readonly kind: "postgres"; readonly adminUrl: string };

declare module "vitest" {
  interface ProvidedContext {
    store: StoreUnderTest;
    /** The program of the browser, for the tests of the pages. */
    chromium: string;
  }
}
