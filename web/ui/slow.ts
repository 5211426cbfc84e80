import { useEffect, useState } from "preact/hooks";

/** What is quicker than this is over before anybody would have read that it goes on. */
const momentMs = 300;

/** True when `pending` has lasted longer than a moment. */
export const useSlow = (pending: boolean): boolean => {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!pending) {
      setSlow(false);
      return undefined;
    }
    const timer = setTimeout(() => setSlow(true), momentMs);
    return () => clearTimeout(timer);
  }, [pending]);
  return slow;
};
