// The build makes a style sheet of it, which the server links in the page's head.
// oxlint-disable-next-line import/no-unassigned-import
import "../style/index.css";
import { render, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import type { FormData, Integration, Linked } from "../connect/form-data.ts";
import { IntegrationList, Mark } from "../connect/integration-list.tsx";
import { LinkForm } from "../connect/link-form.tsx";
import { LinkedAccount } from "../connect/linked.tsx";
import { keepTabInside } from "../connect/keep-tab.ts";
import { findOpening, isFramed, isToken, type Opening } from "../connect/opening.ts";
import { endOfLink } from "../connect/outcome.ts";
import { tellerFor, tellNobody, tellOfLeaving, type Tell } from "../connect/tell.ts";
import { showTheme, showUsualTheme } from "../connect/theme.ts";
import { enConnect as t } from "../texts/en-connect.ts";
import { keepFocus } from "../ui/focus.ts";
import { useSlow } from "../ui/slow.ts";

/** Why nothing can be linked here, now. */
type Over = keyof typeof t.over;

type Open = { readonly token: string; readonly data: FormData; readonly tell: Tell };

type BackTo = { readonly url: string; readonly app: string | null };

type Stage =
  | {
      readonly at: "over";
      readonly why: Over;
      readonly tell: Tell;
      /** What may go better another time. */
      readonly again?: Opening;
      /** Where the app waits, as far as it said so. */
      readonly back?: BackTo | undefined;
    }
  | (Open & { readonly at: "list" })
  | (Open & { readonly at: "form"; readonly integration: Integration })
  | (Open & { readonly at: "linked"; readonly integration: Integration; readonly linked: Linked });

const backOf = ({ redirect_url: url, app_name: app }: FormData): BackTo | undefined =>
  url === null || isFramed ? undefined : { url, app };

/** One call, and the form stands. */
const openForm = async (opening: Opening): Promise<Stage> => {
  if (opening.how === "incomplete") {
    return isFramed
      ? { at: "over", why: "silent", tell: tellOfLeaving }
      : { at: "over", why: "incomplete", tell: tellNobody };
  }
  const { token } = opening;
  const tell = tellerFor(opening);
  if (!isToken(token)) return { at: "over", why: "unknown", tell };
  try {
    const query = opening.how === "frame" ? { opener: opening.opener } : {};
    const { data } = await call("GET /connect/form", { token, query });
    showTheme(data);
    if (data.finished) return { at: "over", why: "finished", tell, back: backOf(data) };
    const [first, ...others] = data.integrations;
    if (!first) return { at: "over", why: "nothing", tell, back: backOf(data) };
    const open = { token, data, tell };
    return others.length === 0 ? { ...open, at: "form", integration: first } : { ...open, at: "list" };
  } catch (error) {
    const end = endOfLink(error);
    // Whoever may not open the form is told nothing.
    if (end !== undefined) return { at: "over", why: end, tell: end === "origin" ? tellNobody : tell };
    return { at: "over", why: "unreachable", tell, again: opening };
  }
};

/** The card, the same in every state, and what stands in it. */
const Card = ({
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
  useEffect(() => {
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

type Ended = {
  readonly why: Over;
  readonly tell: Tell;
  readonly back: BackTo | undefined;
  readonly onRetry: () => Promise<void>;
};

const Finished = ({ why, tell, back, onRetry }: Ended) => {
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

/** A field for searching is emptied by Escape, and words that are being composed are given up by it. */
const isForField = ({ isComposing, target }: KeyboardEvent): boolean =>
  isComposing || (target instanceof HTMLInputElement && target.type === "search" && target.value !== "");

const Connect = ({
  first,
  later,
}: {
  readonly first: Stage;
  readonly later: Promise<Opening> | undefined;
}) => {
  const [stage, setStage] = useState(first);
  useEffect(() => void later?.then(openForm).then(setStage), [later]);

  // A step that takes the place of another is read out from its heading on.
  useEffect(() => {
    document.querySelector<HTMLElement>("h1")?.focus();
  }, [stage]);
  // When the key is let go: an app takes the frame away at once, and the rest of the press would reach nobody.
  useEffect(() => {
    let isPressed = false;
    const press = (event: KeyboardEvent): void => {
      isPressed = event.key === "Escape" && !isForField(event);
    };
    const release = ({ key }: KeyboardEvent): void => {
      if (key === "Escape" && isPressed) stage.tell({ type: "close" });
      isPressed = false;
    };
    addEventListener("keydown", press);
    addEventListener("keyup", release);
    return () => {
      removeEventListener("keydown", press);
      removeEventListener("keyup", release);
    };
  }, [stage]);

  switch (stage.at) {
    case "over":
      return (
        <Finished
          why={stage.why}
          tell={stage.tell}
          back={stage.back}
          onRetry={async () => stage.again && setStage(await openForm(stage.again))}
        />
      );
    case "list":
      return (
        <Card title={t.list.title} lead={t.list.lead(stage.data.app_name ?? t.list.theApp)} tell={stage.tell}>
          <IntegrationList
            integrations={stage.data.integrations}
            onChoose={(integration) => setStage({ ...stage, at: "form", integration })}
          />
        </Card>
      );
    case "form": {
      const { data, integration, token, tell } = stage;
      const former = data.reconnects?.account?.name;
      return (
        <Card
          title={t.linkAccount(integration.name)}
          lead={
            former === undefined || former === null
              ? t.form.lead(data.app_name, integration.name)
              : t.form.again(former)
          }
          mark={integration.mark}
          tell={tell}
          onBack={data.integrations.length > 1 ? () => setStage({ ...stage, at: "list" }) : undefined}
        >
          <LinkForm
            data={data}
            integration={integration}
            token={token}
            tell={tell}
            onLinked={(linked) => setStage({ ...stage, at: "linked", linked })}
            onOver={(why) => setStage({ at: "over", why, tell, back: backOf(data) })}
          />
        </Card>
      );
    }
    case "linked": {
      const { data, integration, linked, tell } = stage;
      return (
        <Card
          title={t.linked.title(integration.name)}
          lead={t.linked.lead(data.app_name)}
          mark={integration.mark}
          isDone
          tell={tell}
        >
          <LinkedAccount
            data={data}
            linked={linked}
            framed={isFramed}
            onFinish={() => tell({ type: "close" })}
          />
        </Card>
      );
    }
  }
};

document.documentElement.dataset["framed"] = String(isFramed);
showUsualTheme();
keepFocus();
if (isFramed) keepTabInside();
const opening = await findOpening();
const later = opening.how === "incomplete" ? opening.later : undefined;
render(<Connect first={await openForm(opening)} later={later} />, document.body);
