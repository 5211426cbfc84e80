import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crawl, idsOf, type Crawled } from "../support/crawl.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

let house: TestHouse;
let origin: string;
let read: Crawled;

const isGuide = (path: string): boolean =>
  /^\/docs(?:\/|$)/.test(path) && !/^\/docs\/(?:api|pictures)(?:\/|$)/.test(path);

beforeAll(async () => {
  house = await startHouse();
  ({ origin } = house.config.origin);
  read = await crawl(house, ["/docs/", "/llms.txt"], (path) => isGuide(path) || path === "/llms.txt");
});
afterAll(stopHouses);

const html = "text/html; charset=utf-8";
const markdown = "text/markdown; charset=utf-8";

const pagesOf = (): readonly (readonly [path: string, reply: Reply])[] =>
  [...read.replies].filter(([, { headers }]) => headers["content-type"] === html);

const headingOf = ({ text }: Reply): readonly string[] =>
  [...text.matchAll(/<h1>(.*?)<\/h1>/g)].map(([, inner = ""]) => inner);

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  house.send("GET", path, { headers });

describe("the documentation", () => {
  test("has a page for every provider, and for every page of docs/", async () => {
    const root = new URL("../../", import.meta.url);
    const names = async (folder: string, ending: string): Promise<readonly string[]> =>
      (await readdir(new URL(folder, root)))
        .filter((name) => name.endsWith(ending) && name !== "README.md")
        .map((name) => name.slice(0, -ending.length));
    const expected = [
      ...(await names("providers/", ".yaml")).map((name) => `/docs/providers/${name}`),
      ...(await names("docs/guides/", ".md")).map((name) => `/docs/guides/${name}`),
      ...(await names("docs/reference/", ".md")).map((name) => `/docs/reference/${name}`),
      ...(await names("docs/decisions/", ".md")).map((name) => `/docs/decisions/${name}`),
      "/docs/performance",
      "/docs/providers",
      "/docs/guides",
      "/docs/reference",
      "/docs/decisions",
    ];

    expect(expected.length).toBeGreaterThan(40);
    expect(pagesOf().map(([path]) => path)).toEqual(expect.arrayContaining(expected));
  });

  test("has no link that leads nowhere, and loads nothing from elsewhere", () => {
    expect(read.replies.size).toBeGreaterThan(80);
    expect(read.dead).toEqual([]);
    expect(read.foreign).toEqual([]);
  });

  test("calls each page by a name of its own, and each part of it", () => {
    const names = pagesOf().map(([path, reply]) => {
      expect(headingOf(reply), path).toHaveLength(1);
      const ids = idsOf(reply.text);
      expect(ids.length, path).toBe(new Set(ids).size);
      return path.replace(/\/$/, "") + headingOf(reply).join("");
    });
    expect(pagesOf().length).toBeGreaterThan(40);
    const headings = new Set(pagesOf().map(([, reply]) => headingOf(reply).join("")));
    // The first page was found with a slash behind it and without.
    expect(headings.size).toBe(new Set(names).size);
  });

  test("needs no script, sets no cookie, and may run nothing", () => {
    for (const [path, { headers, text, cookies }] of pagesOf()) {
      expect(text, path).not.toMatch(/<script|<style| style=| on\w+=/);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'; style-src 'self'; img-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/script-src|unsafe|https?:/);
      expect(cookies, path).toEqual([]);
    }
  });

  test("is there as Markdown, page by page, with addresses that work from anywhere", async () => {
    for (const [path, { text }] of pagesOf()) {
      const [, alternate = ""] =
        /<link rel="alternate" type="text\/markdown" href="([^"]+)">/.exec(text) ?? [];
      const reply = await get(alternate);

      expect([reply.status, reply.headers["content-type"]], path).toEqual([200, markdown]);
      expect(reply.text).toMatch(/^# /m);
      expect(reply.text).toContain(`${origin}/llms.txt`);
      expect(reply.text.replaceAll(/^```[^]*?^```|`[^`\n]*`/gm, ""), path).not.toMatch(
        /\]\((?!https:|mailto:|#|http:\/\/localhost)/,
      );
    }
    expect((await get("/docs/providers/toggl.md")).status).toBe(200);
  });

  test("is asked for anew only when it has changed", async () => {
    for (const path of ["/docs/providers/toggl", "/docs/providers/toggl.md", "/llms.txt"]) {
      const first = await get(path);
      const tag = String(first.headers.etag);

      expect(first.headers["cache-control"], path).toBe("no-cache");
      for (const asked of [tag, `W/${tag}`, `"other", ${tag}`]) {
        const again = await get(path, { "if-none-match": asked });
        expect([again.status, again.text, again.headers.etag]).toEqual([304, "", tag]);
        expect(again.headers).not.toHaveProperty("content-length");
      }
      expect((await get(path, { "if-none-match": '"other"' })).text).toBe(first.text);
    }
  });

  test("is nowhere but at our own origin", async () => {
    for (const path of ["/docs/", "/docs/providers/toggl", "/docs/providers/toggl.md", "/llms.txt"]) {
      const reply = await get(path, { host: "other.example" });
      expect([reply.status, reply.headers["content-type"]], path).toEqual([421, html]);
      expect(reply.text).not.toMatch(/(?:href|src)="[^"]*other\.example/);
    }
  });

  test.for([
    "/docs/nothing",
    "/docs/providers/nothing",
    "/docs/providers/toggl.yaml",
    "/docs/guides/..%2Fproviders%2Ftoggl",
    "/docs/guides/toggl",
    "/docs/decisions/README.md",
    "/docs/pictures/..%2F..%2Fpackage.json",
    "/docs/pictures/nothing.png",
    "/docs/guides/<script>alert(1)",
  ])("%s is not there, and that is told as a page", async (path) => {
    const reply = await get(path);

    expect([reply.status, reply.headers["content-type"]]).toEqual([404, html]);
    expect(reply.text).not.toContain("alert(1)");
  });

  test("has every picture that a provider's file names", async () => {
    const root = new URL("../../", import.meta.url);
    const files = await readdir(new URL("providers/", root));
    const texts = await Promise.all(
      files.map((name) => readFile(new URL(`providers/${name}`, root), "utf8")),
    );
    const named = texts.flatMap((text) =>
      [...text.matchAll(/^ +file: (\S+)$/gm)].map(([, file = ""]) => file),
    );
    const drawn = await readdir(new URL("docs/pictures/", root));

    expect(named).toContain("account-token.png");
    expect(named.filter((name) => !drawn.includes(name))).toEqual([]);
  });

  test("shows its pictures, which may be kept for good under their digest", async () => {
    const { text } = await get("/docs/providers/latchkey");
    const [, light = ""] = /<img src="([^"]+)" alt="[^"]{20,}" width="\d+" height="\d+"/.exec(text) ?? [];
    const [, dark = ""] = /media="\(prefers-color-scheme: dark\)" srcset="([^"]+)"/.exec(text) ?? [];

    expect(new Set([light, dark]).size).toBe(2);
    for (const address of [light, dark]) {
      const reply = await get(address);
      expect([reply.status, reply.headers["content-type"]]).toEqual([200, "image/png"]);
      expect(reply.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
      const other = await get(address.replace(/\?.*$/, "?digest=other"));
      expect([other.status, other.headers["cache-control"]]).toEqual([200, "no-cache"]);
    }
  });
});

describe("/llms.txt", () => {
  test("has a title, a summary, and sections of links with a line each", async () => {
    const { text, headers } = await get("/llms.txt");

    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    const [title, summary, ...blocks] = text.trim().split("\n\n");
    expect(title).toBe("# Latchkey");
    expect(summary).toMatch(/^> \S/);
    const links = blocks.flatMap((block) => block.split("\n")).filter((line) => line.startsWith("- "));
    for (const line of links) expect(line).toMatch(/^- \[[^\]]+\]\(http:\/\/localhost:\d+\/[^)\s]+\): \S.*$/);
    expect(new Set(links).size).toBe(links.length);
    expect(blocks.filter((block) => !/^(?:## |- )/.test(block))).toHaveLength(1);
  });

  test("knows every page, and is at /docs/llms.txt too", async () => {
    const { text } = await get("/llms.txt");

    const addresses = pagesOf().map(([, page]) => {
      const [, address = ""] = /type="text\/markdown" href="([^"]+)"/.exec(page.text) ?? [];
      return origin + address;
    });
    for (const address of addresses.filter((one) => !one.endsWith("/docs/index.md"))) {
      expect(text).toContain(`(${address}): `);
    }
    expect((await get("/docs/llms.txt")).text).toBe(text);
  });

  test("names the configured origin, whatever the request says", async () => {
    const other = await startHouse({ LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" });

    const { text } = await other.send("GET", "/llms.txt");

    expect(text).toContain("(https://id.example.com/docs/providers/toggl.md): ");
    expect(text).not.toContain("localhost");
  });
});
