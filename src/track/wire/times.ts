/** Points in time as this API reads and writes them. */

let lastSecond = Number.NaN;
let lastSecondText = "";

/** RFC 3339 in UTC with `Z`, without trailing zeros of the fraction: `2024-12-09T21:05:30.12Z`. @param at milliseconds */
export const instant = (at: number): string => {
  const second = Math.floor(at / 1000);
  // Nearly every call is in the second of the call before.
  if (second !== lastSecond) {
    lastSecond = second;
    lastSecondText = new Date(second * 1000).toISOString().slice(0, 19);
  }
  const thousandths = at - second * 1000;
  return thousandths === 0
    ? `${lastSecondText}Z`
    : `${lastSecondText}${String(thousandths / 1000).slice(1)}Z`;
};

const wholeSeconds = (at: number): string => new Date(at).toISOString().slice(0, 19);

/** Seconds only and a numeric offset, as most of what is read has it: `2024-12-09T21:05:30+00:00`. @param at milliseconds */
export const instantWithOffset = (at: number): string => `${wholeSeconds(at)}+00:00`;

/** Seconds only, as what was just written has it: `2024-12-09T21:05:30Z`. @param at milliseconds */
export const instantInSeconds = (at: number): string => `${wholeSeconds(at)}Z`;

const day = /^\d{4}-\d\d-\d\d$/;
const moment = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)$/;

/**
 * Milliseconds since 1970 of a day (its beginning in UTC) or of an RFC 3339 time; undefined for anything else, and for
 * days that no calendar has. A `+` that was not escaped in a query arrives as a space.
 */
export const readTime = (text: string): number | undefined => {
  const spelled = text.replace(/ (?=\d\d:?\d\d$)/, "+");
  if (!day.test(spelled) && !moment.test(spelled)) return undefined;
  const at = Date.parse(day.test(spelled) ? `${spelled}T00:00:00Z` : spelled);
  if (Number.isNaN(at)) return undefined;
  // Date.parse takes the 30th of February for the 2nd of March.
  const [year = 0, month = 0, date = 0] = spelled.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date)).getUTCDate() === date ? at : undefined;
};
