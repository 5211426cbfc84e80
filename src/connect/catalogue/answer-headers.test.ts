import { describe, expect, test } from "vitest";
import { waitOf } from "./answer-headers.ts";
import { fileOf, written } from "./providers.fixture.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

describe("how long to wait", () => {
  const provider = written(fileOf("retry: { after: [X-Wait], at: [X-Until] }"));
  const epoch = now / 1000;
  test.each([
    [{}, undefined],
    [{ "retry-after": "120" }, 120],
    [{ "retry-after": " 0 " }, 0],
    [{ "retry-after": "0.2" }, 1],
    [{ "retry-after": "Sun, 22 Nov 2026 12:01:30 GMT" }, 90],
    [{ "retry-after": "Sun, 22 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "999999999" }, 86_400],
    [{ "retry-after": "" }, undefined],
    [{ "x-wait": "7", "retry-after": "3" }, 7],
    [{ "x-wait": ["7", "8"] }, undefined],
    [{ "x-until": String(epoch + 60) }, 60],
    [{ "x-until": String(now + 60_000) }, 60],
    [{ "x-until": String(epoch - 60) }, 0],
    [{ "x-until": "tomorrow" }, undefined],
  ])("%j", (headers, seconds) => {
    expect(waitOf(provider, headers, now)).toBe(seconds);
  });
});
