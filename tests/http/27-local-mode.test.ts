import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { outboxFolder } from "#app/open-store.ts";
import { startMailServer } from "#kernel/mail/testing/mail-server.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Sent } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { exchange, lines } from "../support/raw-http.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const places = ["/dev/mail", "/dev/mails"];

const asPerson = { accept: "text/html" };

const shown = async (of: TestHouse) => {
  await of.inside.courier.deliverDue();
  const reply = await of.send("GET", "/dev/mails");
  expect(reply.status).toBe(200);
  return listOf(fieldsOf(reply.json())["mails"]);
};

/** A house whose outbox a test fills by hand. */
const withOutbox = async (): Promise<{
  readonly of: TestHouse;
  put(name: string, bytes: string | Buffer): Promise<void>;
}> => {
  const of = await startHouse(roomy);
  const folder = outboxFolder(of.config);
  await mkdir(folder, { recursive: true });
  return { of, put: (name, bytes) => writeFile(join(folder, name), bytes) };
};

const letter = (subject: string, text = "Hello."): string =>
  `From: a@example.com\nTo: b@example.com\nSubject: ${subject}\nDate: Wed, 04 Mar 2026 05:06:07 +0000\n\n${text}\n`;

describe("local mode", () => {
  test.for(places)("%s is there on this machine, for this machine", async (path) => {
    for (const sent of [{}, { session: "stale" }, { session: (await house.person()).session }]) {
      expect((await house.send("GET", path, sent)).status).toBe(200);
    }
  });

  test.for(places)("%s is not there when anything stands in between", async (path) => {
    const { port } = house.config;
    const elsewhere: Readonly<Record<string, string>> = {
      "x-forwarded-for": "127.0.0.1",
      "X-Forwarded-Host": `localhost:${port}`,
      "x-forwarded-proto": "http",
      "x-forwarded-anything": "",
      forwarded: "for=127.0.0.1",
      FORWARDED: "",
      via: "1.1 proxy",
      "x-real-ip": "127.0.0.1",
    };
    for (const [name, value] of Object.entries(elsewhere)) {
      const reply = await house.send("GET", path, { headers: { [name]: value } });
      expect(reply.status, name).toBe(404);
      expect(reply.text, name).not.toContain("mails");
    }
  });

  test("is not there under another host name, not even one that leads here", async () => {
    const { port } = house.config;
    for (const host of [
      `127.0.0.1:${port}`,
      `[::1]:${port}`,
      `localhost.:${port}`,
      `rebound.example:${port}`,
      "localhost",
      "",
    ]) {
      const headers = { host, ...asPerson };
      for (const path of places) {
        expect((await house.send("GET", path, { headers })).status, host).toBe(404);
      }
    }
    const twice = await exchange(
      port,
      lines("GET /dev/mails HTTP/1.1", `Host: localhost:${port}`, "Host: evil.example"),
    );
    expect(twice.status).toBeGreaterThanOrEqual(400);
    const absolute = await exchange(
      port,
      lines("GET http://evil.example/dev/mails HTTP/1.1", `Host: localhost:${port}`),
    );
    expect(absolute.status).toBe(404);
  });

  test.for<readonly [string, Readonly<Record<string, string>>]>([
    ["an origin of the world", { LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" }],
    [
      "an origin that only sounds local",
      { LATCHKEY_ORIGIN: "https://localhost.example.com", LATCHKEY_MAIL: "outbox" },
    ],
  ])("is not there with %s", async ([, settings]) => {
    const of = await startHouse(settings);
    await of.person();

    for (const path of places) {
      expect((await of.send("GET", path)).status, path).toBe(404);
      const local = { host: `localhost:${of.config.port}` };
      expect((await of.send("GET", path, { headers: local })).status, path).toBe(404);
    }
  });

  test("shows no mails where a mail server takes them, and leads nobody there", async () => {
    const server = await startMailServer();
    onTestFinished(() => server.stop());
    const of = await startHouse({ LATCHKEY_SMTP_URL: server.url });

    expect((await of.send("GET", "/dev/mails")).status).toBe(404);
    const { text } = await of.send("GET", "/");
    expect(text).toContain("&quot;local&quot;:false");
    expect((await of.send("GET", "/dev/mail", { headers: asPerson })).status).toBe(404);
  });

  test("is not there for another user of the machine, where the system tells who calls", async () => {
    const status = process.platform === "linux" ? 404 : 200;
    const of = await startHouse(roomy, { mailReader: (process.getuid?.() ?? 0) + 1 });
    for (const path of places) {
      expect((await of.send("GET", path, { headers: asPerson })).status, path).toBe(status);
    }
    expect((await of.send("GET", "/")).text).toContain(`&quot;local&quot;:${status === 200}`);
  });

  test.for(places)("%s is for reading only", async (path) => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const reply = await house.send(method, path);
      expect([reply.status, reply.headers.allow]).toEqual([405, "GET, HEAD"]);
    }
  });

  test.for<readonly [string, Sent["headers"]]>([
    ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["another port", { origin: "http://localhost:1", "sec-fetch-site": "same-site" }],
  ])("no page of %s may read the mails", async ([, headers]) => {
    const reply = await house.send("GET", "/dev/mails", { headers });

    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
    expect(reply.headers["x-content-type-options"]).toBe("nosniff");
  });
});

describe("the mails of the outbox", () => {
  test("are none before the first", async () => {
    const of = await startHouse();

    expect(await shown(of)).toEqual([]);
  });

  test("are shown whole, the newest first, and stay however often they are read", async () => {
    const of = await startHouse(roomy);
    const first = await of.person("first@example.com");
    of.clock.advance(60_000);
    await of.send("POST", "/api/me/password_reset/request", { json: { email: first.email } });
    await of.mails();

    const mails = await shown(of);

    expect(mails).toEqual([
      {
        id: expect.any(String),
        to: first.email,
        subject: "Reset your password",
        at: "2026-03-04T05:07:07.000Z",
        text: expect.stringContaining(
          `/reset#${codeIn(await of.mailTo(first.email, "Reset your password"))}`,
        ),
      },
      {
        id: expect.any(String),
        to: first.email,
        subject: "Confirm your e-mail address",
        at: "2026-03-04T05:06:07.000Z",
        text: expect.stringContaining("Confirm that the address is yours"),
      },
    ]);
    expect(await shown(of)).toEqual(mails);
  });

  test("are fifty at most", async () => {
    const { of, put } = await withOutbox();
    for (let number = 10; number < 70; number++)
      await put(`20260304T0506${number}000Z-x.eml`, letter(`${number}`));

    const subjects = (await shown(of)).map(({ subject }) => subject);

    expect(subjects).toEqual(Array.from({ length: 50 }, (_, index) => `${69 - index}`));
  });

  test("are text, whatever stands in them", async () => {
    const { of, put } = await withOutbox();
    const hostile = `"><script>alert(1)</script>\njavascript:alert(1)\nhttp://evil.example/`;
    await put("20260304T050607000Z-x.eml", letter(`<img src=x onerror=alert(1)>`, hostile));

    const reply = await of.send("GET", "/dev/mails");

    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(reply.headers["x-content-type-options"]).toBe("nosniff");
    expect(await shown(of)).toMatchObject([
      { subject: "<img src=x onerror=alert(1)>", text: `${hostile}\n`, to: "b@example.com" },
    ]);
  });

  test("are only those that are whole, and mails", async () => {
    const { of, put } = await withOutbox();
    await put("20260304T050607000Z-x.eml", letter("whole"));
    await put(".20260304T050608000Z-x.eml.tmp", letter("half-written"));
    await put(".20260304T050609000Z-x.eml", letter("hidden"));
    await put("notes.txt", letter("no mail"));
    await put("saved.eml", letter("somebody else's"));
    await put("20260304T050607000Z-x.eml~", letter("a backup"));

    expect((await shown(of)).map(({ subject }) => subject)).toEqual(["whole"]);
  });

  test("do not hide one another when one of them is broken", async () => {
    const { of, put } = await withOutbox();
    const folder = outboxFolder(of.config);
    await put("20260304T050601000Z-x.eml", letter("older"));
    await put("20260304T050602000Z-empty.eml", "");
    await put(
      "20260304T050603000Z-noise.eml",
      Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 89) % 256)),
    );
    await put(
      "20260304T050604000Z-date.eml",
      letter("no date").replace(/Date: .*/, "Date: the day before yesterday"),
    );
    await put(
      "20260304T050605000Z-parts.eml",
      "Content-Type: multipart/mixed; boundary=a\n\n" +
        "--a\nContent-Type: multipart/mixed; boundary=a\n\n".repeat(500),
    );
    await mkdir(join(folder, "20260304T050606000Z-folder.eml"));
    await symlink(join(folder, "nowhere"), join(folder, "20260304T050607000Z-gone.eml"));
    await put("20260304T050608000Z-closed.eml", letter("closed"));
    await chmod(join(folder, "20260304T050608000Z-closed.eml"), 0o000);
    await put("20260304T050609000Z-x.eml", letter("newer"));

    const mails = await shown(of);

    expect(mails.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(["older", "no date", "newer"]),
    );
    expect([mails[0]?.["subject"], mails.at(-1)?.["subject"]]).toEqual(["newer", "older"]);
    // What the page shows of a time must be one.
    for (const { at } of mails) expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
