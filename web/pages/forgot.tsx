import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { facts } from "../facts.ts";
import { hrefTo } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Field } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { OpenMails } from "../ui/open-mails.tsx";
import { Gate } from "../ui/shell.tsx";

const t = texts.forgot;

const Forgot = () => {
  const [sentTo, setSentTo] = useState<string>();

  const send = async (fields: Fields): Promise<void> => {
    const email = fields("email");
    await call("POST /api/me/password_reset/request", { body: { email } });
    setSentTo(email);
  };

  if (sentTo !== undefined) {
    return (
      <Gate title={t.sentTitle} lead={t.sent(sentTo)}>
        <a class="main" href={hrefTo("reset")}>
          {t.enter}
        </a>
        <OpenMails />
        <p class="small">{t.nothing}</p>
        <p class="aside">
          <button type="button" class="text" onClick={() => setSentTo(undefined)}>
            {t.otherAddress}
          </button>
        </p>
      </Gate>
    );
  }
  return (
    <Gate
      title={t.title}
      lead={t.lead}
      aside={
        <>
          {t.remembered} <a href={hrefTo("log-in")}>{t.signIn}</a>
        </>
      }
    >
      <Form label={t.title} send={send}>
        <Field
          name="email"
          type="email"
          label={texts.field.email}
          autocomplete="username"
          value={facts.signedIn?.email ?? ""}
          required
          autofocus
        />
        <Submit busy={t.busy}>{t.submit}</Submit>
      </Form>
    </Gate>
  );
};

start(Forgot);
