// The catalogue that is shipped, and files that a test writes itself.

import { fileURLToPath } from "node:url";
import { loadCatalogue } from "./catalogue.ts";
import type { Provider } from "./model/provider.ts";
import { faultLine, readProvider } from "./reading/read-provider.ts";

export const folder = fileURLToPath(new URL("../../../providers", import.meta.url));

export const catalogue = loadCatalogue(folder);

export const shipped = (name: string): Provider => {
  const provider = catalogue.get(name);
  if (!provider) throw new Error(`No provider ${name}`);
  return provider;
};

/** The least that a file says, with more behind it. */
export const fileOf = (
  more: string,
  { mode = "BASIC", baseUrl = "https://api.example.com" } = {},
): string => {
  const fields = {
    BASIC: "{ username: { title: User }, password: { title: Password, secret: true } }",
    API_KEY: "{ apiKey: { title: Key, secret: true } }",
    NONE: "{}",
  };
  const of = mode === "API_KEY" || mode === "NONE" ? mode : "BASIC";
  return `display_name: Example
auth_mode: ${mode}
base_url: ${baseUrl}
docs: https://example.com/docs
shapes:
  - name: only
    title: Only
    fields: ${fields[of]}
verification:
  path: /me
  account: { id: id, name: [name], email: [email], workspace: [company.name] }
${more}`;
};

export const written = (text: string): Provider => {
  const { provider, faults } = readProvider("example.yaml", text);
  if (!provider) throw new Error(faults.map(faultLine).join("\n"));
  return provider;
};
