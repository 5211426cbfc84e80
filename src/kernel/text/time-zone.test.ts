import { expect, test } from "vitest";
import { isTimeZone } from "./time-zone.ts";

test.each([
  "Europe/Tallinn",
  "UTC",
  "Etc/UTC",
  "Etc/GMT+5",
  "GMT",
  "EST5EDT",
  "America/Argentina/ComodRivadavia",
  // Links that older programs have.
  "US/Pacific",
  "Asia/Calcutta",
  "Asia/Kolkata",
  "Europe/Kiev",
  "Europe/Kyiv",
  "GB",
  "Zulu",
  "PRC",
])("%s is a zone", (name) => {
  expect(isTimeZone(name)).toBe(true);
});

test.each([
  // Of ICU: Dhaka, Dublin or Kolkata, and others that it means something by.
  "BST",
  "IST",
  "PST",
  "AST",
  "ACT",
  "CTT",
  "ECT",
  "SystemV/PST8",
  "GMT+5",
  "Etc/Unknown",

  "",
  "+02:00",
  "UTC+2",
  "europe/tallinn",
  "EUROPE/TALLINN",
  " Europe/Tallinn",
  "Mars/Olympus",
  "Factory",
  "x".repeat(100_000),
])("%s is none", (name) => {
  expect(isTimeZone(name)).toBe(false);
});

test("every zone of Node's own data is one", () => {
  expect(Intl.supportedValuesOf("timeZone").filter((name) => !isTimeZone(name))).toEqual([]);
});
