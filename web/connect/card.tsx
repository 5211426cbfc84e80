import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { enConnect as t } from "../texts/en-connect.ts";
import type { Integration } from "./form-data.ts";
import { Mark } from "./mark.tsx";
import { isFramed } from "./opening.ts";
import { tellNobody, type Tell } from "./tell.ts";

/** The card, the same in every state, and what stands in it. */
export const Card = ({
  title,
  lead,
  mark,
  isDone = false,
  onBack,
  tell,
  children,
}: {
  readonly title: string;
  readonly lead?: string | undefined;
  readonly mark?: Integration["mark"];
  readonly isDone?: boolean;
  readonly onBack?: (() => void) | undefined;
  readonly tell: Tell;
  readonly children?: ComponentChildren;
}) => {
  // At once with the heading.
  useLayoutEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <main class="card connect-card">
      <div class="connect-bar">
        {onBack && (
          <button type="button" class="text" onClick={onBack}>
            ← {t.back}
          </button>
        )}
        {isFramed && tell !== tellNobody && (
          <button type="button" class="close" aria-label={t.close} onClick={() => tell({ type: "close" })}>
            <svg viewBox="0 0 20 20" aria-hidden="true">
              <path d="M5 5l10 10M15 5L5 15" />
            </svg>
          </button>
        )}
      </div>
      <header>
        {mark && (
          <span class="mark-line">
            <Mark mark={mark} />
            {isDone && (
              <svg class="done" viewBox="0 0 20 20" aria-hidden="true">
                <circle cx="10" cy="10" r="10" />
                <path d="M5.5 10.5l3 3 6-6.5" />
              </svg>
            )}
          </span>
        )}
        <h1 tabIndex={-1} dir="auto">
          {title}
        </h1>
        {lead !== undefined && (
          <p class="quiet" dir="auto">
            {lead}
          </p>
        )}
      </header>
      {children}
    </main>
  );
};
