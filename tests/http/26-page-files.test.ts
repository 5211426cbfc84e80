import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pages } from "#app/pages/pages.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const paths = pages.map(({ path }) => path);

/** What `fetch` makes of an asset: it undoes the coding that the answer names. */
const fetched = async (name: string, coding: string): Promise<readonly [string | null, string]> => {
  const url = `http://127.0.0.1:${house.config.port}/assets/${name}`;
  const response = await fetch(url, { headers: { "accept-encoding": coding } });
  return [response.headers.get("content-encoding"), await response.text()];
};

describe("the files of the pages", () => {
  const assetsOf = async (path: string): Promise<readonly string[]> => {
    const { session } = await house.person();
    const { text } = await house.send("GET", path, { session });
    return [...text.matchAll(/(?:src|href)="\/assets\/([^"]+)"/g)].map(([, name = ""]) => name);
  };

  test.for(paths)(
    "of %s are there, typed, and may be kept for good: their names are their contents",
    async (path) => {
      const names = await assetsOf(path);
      expect(names.map((name) => name.slice(name.lastIndexOf(".")))).toEqual(
        expect.arrayContaining([".svg", ".css", ".js"]),
      );
      for (const name of names) {
        const reply = await house.send("GET", `/assets/${name}`);
        expect(reply.status, name).toBe(200);
        expect(name).toMatch(/^[\w-]+-[\w-]{8}\.(?:js|css|svg)$/);
        expect(reply.headers).toMatchObject({
          "cache-control": "public, max-age=31536000, immutable",
          "content-type": name.endsWith("svg")
            ? "image/svg+xml"
            : expect.stringMatching(/^text\/(?:css|javascript); charset=utf-8$/),
          "x-content-type-options": "nosniff",
          vary: "accept-encoding",
        });
        expect(reply.cookies).toEqual([]);
      }
    },
  );

  test("come compressed as the browser likes, and plain to those who do not", async () => {
    for (const name of await assetsOf("/account")) {
      const [, plain] = await fetched(name, "identity");
      expect(plain.length).toBeGreaterThan(100);
      const codings: Readonly<Record<string, string | null>> = {
        "gzip, deflate, br, zstd": "br",
        br: "br",
        BR: "br",
        "gzip;q=1.0, br;q=0.5": "br",
        "gzip, br;q=0": "gzip",
        "br;q=0.0, gzip;q=0.1": "gzip",
        gzip: "gzip",
        "gzip;q=0": null,
        "br ; q=0, gzip ; q=0.000": null,
        "deflate, zstd": null,
        "brotli, xgzip": null,
        "": null,
      };
      for (const [asked, coding] of Object.entries(codings)) {
        expect(await fetched(name, asked), asked).toEqual([coding, plain]);
      }
      const bare = await house.send("GET", `/assets/${name}`);
      expect([bare.headers["content-encoding"], bare.text]).toEqual([undefined, plain]);
    }
  });

  test("are under 30 KB a page, compressed", async () => {
    for (const path of paths) {
      const sizes = await Promise.all(
        (await assetsOf(path))
          .filter((name) => name.endsWith(".js"))
          .map(async (name) => {
            const reply = await house.send("HEAD", `/assets/${name}`, {
              headers: { "accept-encoding": "gzip" },
            });
            return Number(reply.headers["content-length"]);
          }),
      );
      expect(sizes.length).toBeGreaterThan(1);
      expect(
        sizes.reduce((sum, size) => sum + size),
        path,
      ).toBeLessThan(30_000);
    }
  });

  test("are only those: nothing else of the disk is to be had", async () => {
    const [script = ""] = (await assetsOf("/")).filter((name) => name.endsWith(".js"));
    for (const name of [
      "nothing.js",
      `${script}.br`,
      `${script}.gz`,
      `${script}.map`,
      script.toUpperCase(),
      "..%2fpages.json",
      "..%2Fpages.json",
      "%2e%2e%2fpages.json",
      "..%5cpages.json",
      "..%252fpages.json",
      "....//pages.json",
      "../pages.json",
      "../../pages/pages.json",
      `..%2fassets%2f${script}`,
      `.%2f${script}`,
      "%2fetc%2fpasswd",
      "/etc/passwd",
      "%00",
      `${script}%00.js`,
      "__proto__",
      "constructor",
      ".digest",
      "",
    ]) {
      const reply = await house.send("GET", `/assets/${name}`, { headers: { accept: "text/html" } });
      expect([reply.status, reply.headers["cache-control"]], name).toEqual([404, "no-store"]);
    }
    for (const name of ["%", "%zz", "..%c0%af"]) {
      expect((await house.send("GET", `/assets/${name}`)).status, name).toBe(400);
    }
  });
});
