import { describe, expect, test } from "vitest";
import { cameFromElsewhere, isLocalRequest, isOurHost, type LocalEvidence } from "./provenance.ts";

const allowedOrigins = new Set(["https://accounts.example.com", "https://app.example.org"]);

describe("cameFromElsewhere", () => {
  test.each([
    ["our own origin", "https://accounts.example.com", "same-origin", false],
    ["a listed origin, which browsers call cross-site", "https://app.example.org", "cross-site", false],
    ["our own origin without Sec-Fetch-Site", "https://accounts.example.com", undefined, false],
    ["only Sec-Fetch-Site: same-origin", undefined, "same-origin", false],
    ["neither, as curl sends", undefined, undefined, false],
    ["a foreign origin", "https://evil.example", undefined, true],
    ["a foreign origin that claims to be same-origin", "https://evil.example", "same-origin", true],
    ["a sibling subdomain", "https://blog.example.com", "same-site", true],
    ["a longer host", "https://accounts.example.com.evil.example", undefined, true],
    ["another scheme", "http://accounts.example.com", undefined, true],
    ["another port", "https://accounts.example.com:8443", undefined, true],
    ["the null origin", "null", "same-origin", true],
    ["an empty origin", "", "same-origin", true],
    ["another case, which no browser sends", "https://Accounts.example.com", undefined, true],
    [
      "two origins in one line, as Node joins them",
      "https://accounts.example.com, https://evil.example",
      undefined,
      true,
    ],
    [
      "two origins in a list",
      ["https://accounts.example.com", "https://accounts.example.com"],
      undefined,
      true,
    ],
    ["Sec-Fetch-Site: same-site", undefined, "same-site", true],
    ["Sec-Fetch-Site: cross-site", undefined, "cross-site", true],
    ["Sec-Fetch-Site: none", undefined, "none", true],
    ["Sec-Fetch-Site in another case", undefined, "Same-Origin", true],
    ["two Sec-Fetch-Site", undefined, ["same-origin", "same-origin"], true],
    ["an empty Sec-Fetch-Site", undefined, "", true],
  ])("A37 %s", (_, origin, secFetchSite, elsewhere) => {
    expect(cameFromElsewhere({ origin, secFetchSite, allowedOrigins })).toBe(elsewhere);
  });
});

describe("isOurHost", () => {
  test.each([
    ["https://accounts.example.com", "accounts.example.com", true],
    ["https://accounts.example.com", "ACCOUNTS.example.COM", true],
    ["https://accounts.example.com", "accounts.example.com:443", true],
    ["https://accounts.example.com", "accounts.example.com:80", false],
    ["https://accounts.example.com:8443", "accounts.example.com:8443", true],
    ["https://accounts.example.com:8443", "accounts.example.com", false],
    ["http://localhost", "localhost:80", true],
    ["http://localhost:3000", "localhost:3000", true],
    ["http://localhost:3000", "localhost", false],
    ["http://localhost:3000", "127.0.0.1:3000", false],
    ["http://[::1]:3000", "[::1]:3000", true],
    ["http://[::1]:3000", "::1:3000", false],
    ["https://exámple.com", "xn--exmple-qta.com", true],
    ["https://accounts.example.com", "accounts.example.com.", false],
    ["https://accounts.example.com", "accounts.example.com:", false],
    ["https://accounts.example.com", "evil@accounts.example.com", false],
    ["https://accounts.example.com", " accounts.example.com", false],
    ["https://accounts.example.com", "accounts.example.com, evil.example", false],
    ["https://accounts.example.com", "evil.example", false],
    ["https://accounts.example.com", "", false],
    ["https://accounts.example.com", undefined, false],
  ])("A22 %s asked as %s: %s", (origin, host, ours) => {
    expect(isOurHost(host, new URL(origin))).toBe(ours);
  });
});

describe("isLocalRequest", () => {
  const local: LocalEvidence = {
    origin: new URL("http://localhost:3000"),
    host: "localhost:3000",
    socketAddress: "127.0.0.1",
    rawHeaders: ["Host", "localhost:3000", "Accept", "via", "X-Forward", "x"],
  };

  test("holds on this machine, on all of its names", () => {
    expect(isLocalRequest(local)).toBe(true);
    expect(isLocalRequest({ ...local, socketAddress: "::ffff:127.0.0.1" })).toBe(true);
    expect(
      isLocalRequest({ ...local, origin: new URL("http://127.0.0.1:3000"), host: "127.0.0.1:3000" }),
    ).toBe(true);
    expect(
      isLocalRequest({
        ...local,
        origin: new URL("http://[::1]:3000"),
        host: "[::1]:3000",
        socketAddress: "::1",
      }),
    ).toBe(true);
  });

  test("does not hold for an origin that others can reach", () => {
    const host = "accounts.example.com";
    expect(isLocalRequest({ ...local, origin: new URL(`https://${host}`), host })).toBe(false);
    expect(
      isLocalRequest({
        ...local,
        origin: new URL("http://localhost.evil.example"),
        host: "localhost.evil.example",
      }),
    ).toBe(false);
  });

  test("does not hold for a rebound name, another port or no Host", () => {
    expect(isLocalRequest({ ...local, host: "evil.example:3000" })).toBe(false);
    expect(isLocalRequest({ ...local, host: "127.0.0.1:3000" })).toBe(false);
    expect(isLocalRequest({ ...local, host: undefined })).toBe(false);
  });

  test("does not hold for a peer on another machine, or none", () => {
    expect(isLocalRequest({ ...local, socketAddress: "192.168.0.2" })).toBe(false);
    expect(isLocalRequest({ ...local, socketAddress: undefined })).toBe(false);
  });

  test.each(["Forwarded", "via", "X-Forwarded-For", "x-forwarded-anything", "X-Real-IP"])(
    "A09 does not hold with a %s header, even an empty one",
    (name) => {
      expect(isLocalRequest({ ...local, rawHeaders: [...local.rawHeaders, name, ""] })).toBe(false);
    },
  );
});
