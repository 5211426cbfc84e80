import type { RefObject } from "preact";
import { enConnect as t } from "../texts/en-connect.ts";
import { useCountdown } from "../ui/countdown.ts";
import type { Outcome } from "./outcome.ts";

const spoken = (seconds: number): string =>
  seconds < 90 ? t.seconds(seconds) : t.minutes(Math.ceil(seconds / 60));

/** Always in the document, so that screen readers notice what appears in it. */
export const OutcomeNotice = ({
  outcome,
  place,
}: {
  readonly outcome: Outcome | undefined;
  readonly place: RefObject<HTMLDivElement | null>;
}) => {
  // The line is there from the start: one that came later would push the button away.
  const left = useCountdown(outcome, outcome?.wait) ?? outcome?.wait;
  return (
    <div role="alert" ref={place}>
      {outcome?.title !== undefined && (
        <div class={outcome.isTheirs ? "notice warn" : "notice bad"}>
          <p class="outcome-title">{outcome.title}</p>
          {outcome.told.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {left !== undefined && (
            <p aria-live={left > 0 ? "off" : "polite"}>{left > 0 ? t.wait(spoken(left)) : t.waited}</p>
          )}
        </div>
      )}
    </div>
  );
};
