/** What one check found: how things are, and what to do when they are not as they should be. */
export type Finding = {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly message: string;
  readonly remedy?: string;
};

export const ok = (name: string, message: string): Finding => ({ name, state: "ok", message });

export const warn = (name: string, message: string, remedy: string): Finding => ({
  name,
  state: "warn",
  message,
  remedy,
});

export const fail = (name: string, message: string, remedy: string): Finding => ({
  name,
  state: "fail",
  message,
  remedy,
});
