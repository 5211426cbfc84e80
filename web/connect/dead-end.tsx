import { useState } from "preact/hooks";
import { enConnect as t } from "../texts/en-connect.ts";
import { useSlow } from "../ui/slow.ts";
import { Card } from "./card.tsx";
import type { BackTo, Over } from "./stage.ts";
import type { Tell } from "./tell.ts";

type DeadEndProps = {
  readonly why: Over;
  readonly tell: Tell;
  readonly back: BackTo | undefined;
  readonly onRetry: () => Promise<void>;
};

/** Nothing can be linked here: why, and where to go from there. */
export const DeadEnd = ({ why, tell, back, onRetry }: DeadEndProps) => {
  const { title, text } = t.over[why];
  const [pending, setPending] = useState(false);
  const slow = useSlow(pending);
  const retry = async (): Promise<void> => {
    if (pending) return;
    setPending(true);
    await onRetry();
    setPending(false);
  };
  return (
    <Card title={title} tell={tell}>
      <p>{text}</p>
      {why === "unreachable" && (
        <button type="button" class="main" aria-disabled={pending} onClick={() => void retry()}>
          {slow ? t.over.unreachable.busy : t.over.unreachable.retry}
        </button>
      )}
      {back && (
        <a class="main" href={back.url}>
          {t.linked.backTo(back.app)}
        </a>
      )}
    </Card>
  );
};
