import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { Refusal, refusals, SetupFault } from "#kernel/errors.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import type { Answer } from "#kernel/http/route.ts";

/**
 * The pages as `scripts/build-pages.ts` has written them: which script and styles each one takes, and the files
 * themselves, in memory, each beside its compressed forms.
 */

const builtFolder = new URL("../../../dist/pages/", import.meta.url);

const builtPage = z.object({
  title: z.string(),
  script: z.string(),
  /** What the script imports, so that the browser asks for everything at once. */
  imports: z.array(z.string()),
});

/** By the names that they have in `assets/`. */
const built = z.object({ icon: z.string(), style: z.string(), pages: z.record(z.string(), builtPage) });

export type BuiltPage = z.infer<typeof builtPage>;
/** What all pages have in common. */
export type Look = Pick<z.infer<typeof built>, "icon" | "style">;

export type Asset = {
  readonly type: string;
  readonly plain: Buffer;
  readonly br: Buffer | undefined;
  readonly gzip: Buffer | undefined;
};

export type PageFiles = {
  readonly look: Look;
  readonly page: (name: string) => BuiltPage;
  readonly asset: (name: string) => Asset | undefined;
};

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

const typeOf = (name: string): string =>
  types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";

const readFiles = (): { readonly index: unknown; readonly files: ReadonlyMap<string, Buffer> } => {
  try {
    const names = readdirSync(new URL("assets/", builtFolder));
    return {
      index: JSON.parse(readFileSync(new URL("pages.json", builtFolder), "utf8")),
      files: new Map(names.map((name) => [name, readFileSync(new URL(`assets/${name}`, builtFolder))])),
    };
  } catch (error) {
    throw new SetupFault(
      "The pages are not built. Start with npm start, or run node prepare.mjs first.",
      error,
    );
  }
};

const immutable = "public, max-age=31536000, immutable";

/** The file of this name, in the best coding that the client can undo. */
export const assetAnswer = (files: Pick<PageFiles, "asset">, file: string, incoming: Incoming): Answer => {
  const asset = files.asset(file);
  if (!asset) throw new Refusal(refusals.not_found);
  const { type, plain } = asset;
  const coding = asset.br && incoming.accepts("br") ? "br" : "gzip";
  const coded = coding === "gzip" && !incoming.accepts("gzip") ? undefined : asset[coding];
  return {
    content: { type, body: coded ?? plain },
    headers: {
      "cache-control": immutable,
      vary: "accept-encoding",
      ...(coded ? { "content-encoding": coding } : {}),
    },
  };
};

/** @throws SetupFault when they are not built */
export const loadPageFiles = (): PageFiles => {
  const { index, files } = readFiles();
  const { pages, ...look } = built.parse(index);
  const assets = new Map<string, Asset>(
    [...files]
      .filter(([name]) => !/\.(br|gz)$/.test(name))
      .map(([name, plain]) => [
        name,
        { type: typeOf(name), plain, br: files.get(`${name}.br`), gzip: files.get(`${name}.gz`) },
      ]),
  );
  return {
    look,
    page: (name) => {
      const page = pages[name];
      if (!page) throw new SetupFault(`The page ${name} is not built. Run node prepare.mjs.`);
      return page;
    },
    asset: (name) => assets.get(name),
  };
};
