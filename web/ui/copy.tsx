import { useEffect, useState } from "preact/hooks";
import { texts } from "../texts/index.ts";

const saidMs = 2000;

/** Puts a text on the clipboard and says so. The text may have to be fetched first. */
export const Copy = ({
  what,
  text,
}: {
  readonly what: string;
  readonly text: () => string | Promise<string>;
}) => {
  const [said, setSaid] = useState<"copied" | "failed">();
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => setSaid(undefined), saidMs);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await text());
      setSaid("copied");
    } catch {
      setSaid("failed");
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {said === undefined ? texts.copy.copy : texts.copy[said]}
        <span class="for-readers"> {what}</span>
      </button>
      <span role="status" class="for-readers">
        {said === undefined ? "" : texts.copy.said[said](what)}
      </span>
    </>
  );
};

/** A value in a box, with its copy button. `shown` may be a masked form of what is copied. */
export const CopyLine = ({
  what,
  shown,
  text = () => shown,
}: {
  readonly what: string;
  readonly shown: string;
  readonly text?: () => string | Promise<string>;
}) => (
  <div class="copy-line">
    <code>{shown}</code>
    <Copy what={what} text={text} />
  </div>
);
