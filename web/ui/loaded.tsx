import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { signInAddress } from "../go.ts";
import { isSignedOut } from "../session.ts";
import { texts } from "../texts/index.ts";
import { Notice } from "./notice.tsx";
import { troubleOf } from "./problem.ts";
import { useSlow } from "./slow.ts";

export type Loading<Value> = {
  readonly value: Value | undefined;
  readonly fault: string | undefined;
  readonly reload: () => Promise<void>;
  readonly set: (value: Value) => void;
};

/** Signed out meanwhile, perhaps on another device: the sign-in page says what to do, and leads back. */
export const signInAgain = (error: unknown): boolean => {
  const isOut = isSignedOut(error);
  if (isOut) location.assign(signInAddress());
  return isOut;
};

/** What a page has to ask for before it can show something. */
export const useLoaded = <Value,>(load: () => Promise<Value>): Loading<Value> => {
  const [value, setValue] = useState<Value>();
  const [fault, setFault] = useState<string>();
  const reload = async (): Promise<void> => {
    try {
      setValue(await load());
      setFault(undefined);
    } catch (error) {
      if (!signInAgain(error)) setFault(troubleOf(error, []).message ?? texts.trouble.notLoaded);
    }
  };
  useEffect(() => void reload(), []);
  return { value, fault, reload, set: (next) => setValue(() => next) };
};

/** Shows what was loaded; until then nothing, then that it takes a while; or why it could not be. */
export const Loaded = <Value,>({
  of,
  children,
}: {
  readonly of: Loading<Value>;
  readonly children: (value: Value) => ComponentChildren;
}) => {
  const slow = useSlow(of.value === undefined && of.fault === undefined);
  return (
    <>
      <div role="alert">
        {of.fault !== undefined && (
          <Notice kind="bad">
            <p>{of.fault}</p>
            <p>
              <button type="button" class="text" onClick={() => void of.reload()}>
                {texts.trouble.retry}
              </button>
            </p>
          </Notice>
        )}
      </div>
      {of.value === undefined ? (
        <p class="waiting" aria-live="polite">
          {slow ? texts.account.loading : ""}
        </p>
      ) : (
        children(of.value)
      )}
    </>
  );
};
