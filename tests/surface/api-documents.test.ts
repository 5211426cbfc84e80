import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startServer, type RunningServer } from "./running-server.ts";

let folder: string;
let server: RunningServer | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-documents-"));
  server = await startServer(folder);
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const documentForm = z.object({
  components: z.object({ securitySchemes: z.object({ cookie: z.object({ name: z.string() }) }) }),
});

const get = (path: string): Promise<Response> => fetch(`${server?.origin}${path}`);

describe("GET /openapi.json", () => {
  test("describes this server", async () => {
    const reply = await get("/openapi.json");

    expect(reply.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await reply.json()).toMatchObject({
      openapi: "3.1.1",
      servers: [{ url: server?.origin }],
      paths: {
        "/api/signup": { post: { security: [] } },
        "/api/v9/me": { get: { security: [{ basic: [] }, { cookie: [] }] } },
      },
    });
  });

  test("names the cookie that a sign-in really sets", async () => {
    const { components } = documentForm.parse(await (await get("/openapi.json")).json());
    const reply = await fetch(`${server?.origin}/api/signup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        email: "ada@example.com",
        password: "a quiet river at noon",
        tos_accepted_for: "track",
      }),
    });

    expect(reply.headers.get("set-cookie")).toMatch(
      new RegExp(`^${components.securitySchemes.cookie.name}=`),
    );
  });
});

describe("GET /docs/api", () => {
  test("is a page of our own host name only", async () => {
    const elsewhere = await fetch(`http://127.0.0.1:${new URL(server?.origin ?? "").port}/docs/api`);

    expect(elsewhere.status).toBe(421);
  });

  test("is a page of scripts from here only, which nobody may frame", async () => {
    const reply = await get("/docs/api");
    const page = await reply.text();

    expect(reply.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = (reply.headers.get("content-security-policy") ?? "").split("; ");
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]),
    );
    expect(policy.join("; ")).not.toMatch(/https?:|\*|unsafe-eval/);
    expect(page).not.toMatch(/<script>|<script[^>]*src="(?!\/)|(?:src|href)="(?:https?:)?\/\//);
  });

  test("loads its scripts, the large one once for good", async () => {
    const sources = [...(await (await get("/docs/api")).text()).matchAll(/<script src="([^"]+)"/g)].map(
      ([, source = ""]) => source,
    );
    expect(sources).toHaveLength(2);

    const replies = await Promise.all(sources.map(get));
    for (const reply of replies) {
      expect(reply.status).toBe(200);
      expect(reply.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    }
    const [library, start] = replies;
    expect(library?.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await library?.text()).toContain("createApiReference");
    expect(await start?.text()).toContain('"telemetry":false');
    const unasked = await get("/docs/api/scalar.js");
    expect(unasked.headers.get("cache-control")).toBe("no-store");
  });
});
