import { useEffect, useState } from "preact/hooks";

/**
 * Whole seconds that are left of `seconds`, counted from when `since` last changed; undefined when there is nothing to
 * wait for.
 */
export const useCountdown = (since: unknown, seconds: number | undefined): number | undefined => {
  const [left, setLeft] = useState<number>();
  useEffect(() => {
    setLeft(seconds);
    if (seconds === undefined) return undefined;
    const until = Date.now() + seconds * 1000;
    const timer = setInterval(() => {
      const now = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      setLeft(now);
      if (now === 0) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, [since]);
  return left;
};
