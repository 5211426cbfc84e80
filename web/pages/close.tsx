import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { dayOf } from "../dates.ts";
import { facts } from "../facts.ts";
import { hrefTo } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Field, UserName } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { OpenMails } from "../ui/open-mails.tsx";
import { currentPassword } from "../ui/password-fields.ts";
import { Account, Gate, Section } from "../ui/shell.tsx";

const t = texts.close;

type Ending = { readonly undoUntil: string | null };

const whatHappens: readonly string[] =
  facts.closeGraceDays === 0
    ? [...t.atOnce, t.noGrace]
    : [...t.atOnce, t.grace(facts.closeGraceDays), t.until, t.after];

const Closed = ({ undoUntil }: Ending) => (
  <Gate title={t.doneTitle} lead={undoUntil === null ? t.doneErased : t.doneUntil(dayOf(undoUntil))}>
    <a class="main" href={hrefTo("home")}>
      {t.home}
    </a>
    {undoUntil !== null && (
      <p class="aside ways">
        <a href={hrefTo("undo-close")}>{t.undo}</a> <OpenMails />
      </p>
    )}
  </Gate>
);

const Close = () => {
  const [ending, setEnding] = useState<Ending>();
  const email = facts.signedIn?.email ?? "";

  const send = async (fields: Fields): Promise<void> => {
    const body = { current_password: fields("current_password") };
    const { undo_until: undoUntil } = await call("POST /api/me/close_account/track", { body });
    setEnding({ undoUntil });
  };

  if (ending) return <Closed {...ending} />;
  return (
    <Account at="close" title={t.title} lead={t.lead}>
      <Section title={t.happens}>
        <ul class="bullets">
          {whatHappens.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </Section>
      <Section title={t.confirm} lead={t.confirmLead(email)}>
        <Form label={t.confirm} send={send}>
          <UserName email={email} />
          <Field {...currentPassword} />
          <div class="actions">
            <Submit busy={t.busy} kind="grave">
              {t.submit}
            </Submit>
          </div>
        </Form>
      </Section>
    </Account>
  );
};

start(Close);
