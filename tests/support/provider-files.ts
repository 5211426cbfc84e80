// Providers that a test writes itself, beside those that are shipped.

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const shipped = fileURLToPath(new URL("../../providers", import.meta.url));

export type ProviderFiles = {
  readonly folder: string;
  remove(name: string): Promise<void>;
  /** For the end of a test. */
  clear(): Promise<void>;
};

/** @param more what the files say, by the names of the providers */
export const writeProviders = async (more: Readonly<Record<string, string>>): Promise<ProviderFiles> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-providers-"));
  await cp(shipped, folder, { recursive: true });
  for (const [name, text] of Object.entries(more)) await writeFile(join(folder, `${name}.yaml`), text);
  return {
    folder,
    remove: (name) => rm(join(folder, `${name}.yaml`)),
    clear: () => rm(folder, { recursive: true }),
  };
};

/** Has a secret, a rule and an optional field in the configuration of its connections. */
export const vaulted = `display_name: Vaulted
auth_mode: API_KEY
base_url: https://\${connectionConfig.region}.vaulted.example
docs: https://vaulted.example/docs
shapes:
  - name: key
    title: Key
    fields: { apiKey: { title: Key, secret: true } }
connection_config:
  region: { title: Region, pattern: "[a-z]{2}", looks_like: two small letters }
  passphrase: { title: Passphrase, secret: true }
  note: { title: Note, optional: true }
headers:
  x-key: \${apiKey}
  x-passphrase: \${connectionConfig.passphrase}
  x-region: \${connectionConfig.region}
verification:
  path: /me
  account: { id: id, name: [name] }
`;

/** Asks for no credentials, and has no call that tells whose they are. */
export const open = `display_name: Open
auth_mode: NONE
base_url: https://open.example
docs: https://open.example/docs
shapes:
  - name: none
    title: Nothing
    fields: {}
`;
