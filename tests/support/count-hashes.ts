// Before the first test file of a process: whatever it loads gets an Argon2 whose work is counted.

import { vi } from "vitest";

vi.mock("@node-rs/argon2", async (real) => (await import("./hash-count.ts")).counted(await real()));
