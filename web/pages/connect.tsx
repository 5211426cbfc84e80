// The build makes a style sheet of it, which the server links in the page's head.
// oxlint-disable-next-line import/no-unassigned-import
import "../style/index.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Card } from "../connect/card.tsx";
import { DeadEnd } from "../connect/dead-end.tsx";
import { IntegrationList } from "../connect/integration-list.tsx";
import { keepTabInside } from "../connect/keep-tab.ts";
import { LinkForm } from "../connect/link-form.tsx";
import { LinkedAccount } from "../connect/linked.tsx";
import { findOpening, isFramed, type Opening } from "../connect/opening.ts";
import { backOf, openForm, type Stage } from "../connect/stage.ts";
import { tellNobody, tellOfLeaving } from "../connect/tell.ts";
import { showUsualTheme } from "../connect/theme.ts";
import { enConnect as t } from "../texts/en-connect.ts";
import { keepFocus } from "../ui/focus.ts";

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
    case "waiting":
      return <Card title={t.waiting} tell={stage.tell} />;
    case "over":
      return (
        <DeadEnd
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
              ? t.form.lead(data.app_name, integration.name, data.person)
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

/** So long nothing is shown: what comes and goes at once helps nobody. */
const momentMs = 1000;

const show = (first: Stage, later?: Promise<Opening>): void =>
  render(<Connect key={first.at} first={first} later={later} />, document.body);

// The app may take its time to hand in the token. Its page is covered meanwhile, and there is a way back to it.
const tellMeanwhile = isFramed ? tellOfLeaving : tellNobody;
const moment = setTimeout(() => show({ at: "waiting", tell: tellMeanwhile }), momentMs);
const opening = await findOpening();
const first = await openForm(opening);
clearTimeout(moment);
show(first, opening.how === "incomplete" ? opening.later : undefined);
