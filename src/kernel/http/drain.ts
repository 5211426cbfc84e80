/** The last part of a process's life: it still answers, and tells everybody to go elsewhere. */
export type Drain = {
  readonly hasBegun: () => boolean;
  readonly begin: () => void;
  /** From here on calls are taken and not begun. @returns lets them begin */
  readonly hold: () => () => void;
  /** Begins a call: at once, unless calls are held. */
  readonly pass: (call: () => void) => void;
};

export const createDrain = (): Drain => {
  let begun = false;
  let held: (() => void)[] | undefined;
  return {
    hasBegun: () => begun,
    begin: () => {
      begun = true;
    },
    hold: () => {
      const calls: (() => void)[] = [];
      held = calls;
      return () => {
        held = undefined;
        for (const call of calls) call();
      };
    },
    pass: (call) => {
      if (held) held.push(call);
      else call();
    },
  };
};
