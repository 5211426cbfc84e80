import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { facts } from "../facts.ts";
import { hrefTo, takeCodeFromAddress, typedCode } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { CodeField } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { Notice } from "../ui/notice.tsx";
import { ResendVerification } from "../ui/resend.tsx";
import { Gate } from "../ui/shell.tsx";

const t = texts.verify;
const mailedCode = takeCodeFromAddress();

type Confirmed = { readonly email: string; readonly token_replaced: boolean };

const Done = ({ confirmed }: { readonly confirmed: Confirmed }) => (
  <Gate title={t.doneTitle} lead={t.done(confirmed.email)}>
    {confirmed.token_replaced && (
      <Notice kind="warn">
        <p>{t.tokenReplaced}</p>
        <p>
          {t.notYourPassword} <a href={hrefTo("forgot")}>{t.resetIt}</a>
        </p>
      </Notice>
    )}
    <a class="main" href={hrefTo(facts.signedIn ? "profile" : "log-in")}>
      {facts.signedIn ? t.toAccount : t.toSignIn}
    </a>
  </Gate>
);

/** Nothing is confirmed before the button is pressed: programs that look through mails open links too. */
const Verify = () => {
  const [confirmed, setConfirmed] = useState<Confirmed>();

  const send = async (fields: Fields): Promise<void> => {
    setConfirmed(
      await call("POST /api/me/email_verification/confirm/{code}", {
        params: { code: typedCode(fields("code")) },
      }),
    );
  };

  if (confirmed !== undefined) return <Done confirmed={confirmed} />;
  return (
    <Gate
      title={t.title}
      lead={t.lead}
      aside={
        !facts.signedIn && (
          <>
            {t.noCode} <a href={hrefTo("log-in")}>{t.signInForOne}</a>
          </>
        )
      }
    >
      <Form label={t.title} send={send}>
        <CodeField code={mailedCode} />
        <Submit busy={t.busy}>{t.submit}</Submit>
      </Form>
      {facts.signedIn && (
        <>
          <p class="small">{t.noCode}</p>
          <ResendVerification email={facts.signedIn.email} />
        </>
      )}
    </Gate>
  );
};

start(Verify);
