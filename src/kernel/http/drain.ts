/** The last part of a process's life: it still answers, and tells everybody to go elsewhere. */
export type Drain = {
  readonly hasBegun: () => boolean;
  readonly begin: () => void;
};

export const createDrain = (): Drain => {
  let begun = false;
  return {
    hasBegun: () => begun,
    begin: () => {
      begun = true;
    },
  };
};
