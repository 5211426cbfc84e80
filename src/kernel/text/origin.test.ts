import { describe, expect, test } from "vitest";
import { readOrigin } from "./origin.ts";

describe("readOrigin", () => {
  test.each([
    ["https://app.example.com", "https://app.example.com"],
    ["HTTPS://App.Example.com:443/", "https://app.example.com"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    ["https://exämple.com", "https://xn--exmple-cua.com"],
    ["chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"],
    ["safari-web-extension://E8F3A1/", "safari-web-extension://E8F3A1"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["app://.", "app://."],
    ["tauri://localhost:1430", "tauri://localhost:1430"],
  ])("%s is %s", (text, origin) => {
    expect(readOrigin(text)).toBe(origin);
  });

  test.each([
    "",
    "null",
    "*",
    "app.example.com",
    "https://app.example.com/path",
    "https://app.example.com?x",
    "https://me@app.example.com",
    "https://*.example.com",
    "https://a;b",
    "capacitor://",
    "capacitor://localhost/path",
    "capacitor://a;b",
    "capacitor://a,b",
    "capacitor://*",
    "capacitor://me@localhost",
    "file:///etc",
    "file://host",
    "javascript://x",
    "data:text/html,x",
    "blob:https://app.example.com",
    "ws://app.example.com",
    " chrome-extension://abc",
    "chrome-extension://abc x",
  ])("%j is none", (text) => {
    expect(readOrigin(text)).toBeUndefined();
  });
});
