import { inspect } from "node:util";

const hidden = "[secret]";

/**
 * A value that must not be printed. Logs, JSON, templates and the debugger all show `[secret]`;
 * only a call of `reveal()` gives the text, so that every place which does can be searched for.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
