import { plainWire, type Wire } from "../../kernel/http/wire.ts";

/** The Accounts API. */
export const accountsWire: Wire = {
  ...plainWire,
  title: "Accounts",
  about: "Sign-up, sessions, passwords: who you are.",
  roots: ["/api/"],
  cookiesFromElsewhere: { exposes: [] },
};
