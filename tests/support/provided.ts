// What the test run hands to every test of a project, by `inject`.

export type StoreUnderTest =
  | {
      readonly kind: "sqlite";
      /** The file of a store that is migrated and empty. */
      readonly migrated: string;
    }
  | {
      readonly kind: "postgres";
      readonly adminUrl: string;
      /** The database of a store that is migrated and empty. */
      readonly migrated: string;
    };

declare module "vitest" {
  interface ProvidedContext {
    store: StoreUnderTest;
    /** Many rounds of what is done in rounds, as `npm run soak` wants; a few in `npm test`. */
    soak: boolean;
    /** The folder where what was answered is kept; undefined where nobody asks for it afterwards. */
    sightings: string | undefined;
    /** Whether the pages of what tests cause are compared with, or written anew. */
    caused: "compare" | "write";
    /** The program of the browser, for the tests of the pages. */
    chromium: string;
  }
}
