import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  behindProxy,
  confirmEmail,
  confirmReset,
  elsewhere,
  mailedCode,
  requestChange,
  resetCode,
  signIn,
  subjects,
  undoClose,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

let house: TestHouse;
let person: Person;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
beforeEach(async () => {
  person = await house.person();
});
afterAll(stopHouses);

/** Programs that open every link of a mail before its reader does. */
const scanners = [
  "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0; BarracudaCentral)",
  "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
  "facebookexternalhit/1.1",
  "WhatsApp/2.23",
  "Mozilla/5.0 (Windows NT 10.0) SafeLinks",
  "GoogleImageProxy",
  "curl/8.5.0",
  "",
];

type Kind = "reset" | "verify" | "change" | "closed";
const paths: Readonly<Record<Kind, string>> = {
  reset: "/api/me/password_reset/confirm",
  verify: "/api/me/email_verification/confirm",
  change: "/api/me/email_verification/confirm",
  closed: "/api/me/close_account/undo",
};

/** An address that nobody has yet. */
const newAddress = (): string => `moved-${person.email}`;

const codeOf = async (kind: Kind): Promise<string> => {
  if (kind === "reset") return resetCode(house, person.email);
  if (kind === "change") {
    await requestChange(house, person, newAddress());
    return mailedCode(house, newAddress(), kind);
  }
  if (kind === "closed") await house.send("POST", "/api/me/close_account/track", { session: person.session });
  return mailedCode(house, person.email, kind);
};

const use = (kind: Kind, code: string): Promise<Reply> => {
  if (kind === "reset") return confirmReset(house, code, "a different river at dawn");
  if (kind === "closed") return undoClose(house, code, "a different river at dawn");
  return confirmEmail(house, code);
};

describe.each(["reset", "verify", "change", "closed"] as const)("a code of the kind %s", (kind) => {
  test("A27: is not used up by looking at where it is used, with any safe method and any agent", async () => {
    const code = await codeOf(kind);
    for (const method of ["GET", "HEAD", "OPTIONS", "TRACE"]) {
      for (const agent of scanners) {
        const reply = await house.send(method, `${paths[kind]}/${code}`, {
          headers: {
            ...elsewhere(),
            ...(agent === "" ? {} : { "user-agent": agent }),
            purpose: "prefetch",
            "x-http-method-override": "POST",
            "x-method-override": "POST",
          },
        });
        expect(reply.status, `${method} as ${agent}`).toBeGreaterThanOrEqual(400);
        expect(reply.status, `${method} as ${agent}`).toBeLessThan(500);
        expect(reply.cookies).toEqual([]);
      }
    }
    expect((await use(kind, code)).status).toBe(200);
  });

  test("A27: nor by any other method than the one it is for", async () => {
    const code = await codeOf(kind);
    for (const method of ["PUT", "PATCH", "DELETE", "PROPFIND"]) {
      const reply = await house.send(method, `${paths[kind]}/${code}`, {
        json: { password: "the attacker's own" },
        headers: elsewhere(),
      });
      expect([404, 405], method).toContain(reply.status);
    }
    const told = await house.send("GET", `${paths[kind]}/${code}`, { headers: elsewhere() });
    expect([told.status, told.headers.allow]).toEqual([405, "POST"]);
    expect(told.text).not.toContain(code);
    expect((await use(kind, code)).status).toBe(200);
  });

  test("A27: nor by opening the mail's links, which carry it where no server sees it", async () => {
    const code = await codeOf(kind);
    const mail = await house.mailTo(kind === "change" ? newAddress() : person.email, subjects[kind]);
    const links = [...new Set(`${mail?.text}\n${mail?.html}`.match(/https?:\/\/[^\s"'<>]+/g) ?? [])]
      .filter((link) => link.includes(code))
      .map((link) => new URL(link));
    expect(links.length).toBeGreaterThan(0);
    const pages = links.filter(({ hash }) => hash === `#${code}`);
    expect(pages).toHaveLength(1);
    // What is not a page is the command for a terminal, which a scanner can only GET.
    for (const { pathname, search } of links) {
      expect(search).toBe("");
      for (const method of ["GET", "HEAD"]) {
        const opened = await house.send(method, pathname, { headers: elsewhere() });
        expect(opened.status).toBeLessThan(500);
        expect(opened.cookies).toEqual([]);
        expect(opened.text).not.toContain(code);
      }
    }
    expect((await use(kind, code)).status).toBe(200);
  });
});

test("A27: a scanner changes nothing: neither the password, nor the verification, nor the closing", async () => {
  const verify = await codeOf("verify");
  const reset = await codeOf("reset");
  await house.send("GET", `${paths.verify}/${verify}`, { headers: elsewhere() });
  await house.send("GET", `${paths.reset}/${reset}?password=whatever-it-may-be`, { headers: elsewhere() });
  expect((await signIn(house, person.email, person.password, elsewhere())).status).toBe(200);

  const undo = await codeOf("closed");
  await house.send("GET", `${paths.closed}/${undo}`, { headers: elsewhere() });
  expect((await signIn(house, person.email, person.password, elsewhere())).status).toBe(403);
});
