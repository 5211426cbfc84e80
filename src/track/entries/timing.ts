import { invalid } from "../../kernel/errors.ts";

/** When an entry was. Seconds since 1970, and seconds; an entry without a duration runs. */
export type Timing = {
  readonly start: number;
  readonly stop: number | null;
  readonly duration: number | null;
};

/** As clients write it: a negative duration means that it runs, whatever the number is (contract §7.1). */
export type GivenTiming = {
  readonly start?: number | undefined;
  readonly stop?: number | null | undefined;
  readonly duration?: number | null | undefined;
};

const earliest = Date.UTC(2006, 0, 1) / 1000;
const latest = Date.UTC(2100, 0, 1) / 1000;
/** 999 hours, as Toggl has it. */
const longest = 999 * 3600;

const checked = (timing: Timing): Timing => {
  if (timing.start < earliest || timing.start >= latest) {
    throw invalid("start", "range", "start must be between 2006-01-01 and 2100-01-01");
  }
  if (timing.duration === null) return timing;
  if (timing.duration < 0) throw invalid("stop", "range", "Stop time must be after start time");
  if (timing.duration > longest) throw invalid("duration", "range", "Duration must be at most 999 hours");
  return timing;
};

/** The stop decides before the duration: so stop = start + duration, whatever a client worked out. */
const ended = (start: number, stop: number): Timing => ({ start, stop, duration: stop - start });

/**
 * When an entry is, of what was given and, where it is changed, of what it was. What was recorded of Toggl: an entry
 * that is made with neither stop nor duration does not run, and has no stop.
 *
 * @throws Refusal input_invalid naming start, stop or duration
 */
export const timingOf = (given: GivenTiming & { readonly start: number }, was?: Timing): Timing => {
  const { start, stop, duration } = given;
  const isToRun = typeof duration === "number" && duration < 0;
  if (isToRun && typeof stop === "number") {
    throw invalid("duration", "range", "An entry with a stop must not have a negative duration");
  }
  if (isToRun) return checked({ start, stop: null, duration: null });
  if (typeof stop === "number") return checked(ended(start, stop));
  if (typeof duration === "number") return checked(ended(start, start + duration));
  if (!was) return checked({ start, stop: null, duration: 0 });
  return checked(was.stop === null ? { ...was, start } : ended(start, was.stop));
};
