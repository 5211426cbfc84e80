import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { hrefTo, leaveFor, takeCodeFromAddress, typedCode } from "../go.ts";
import { isCookieKept } from "../session.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Check, CodeField, Field } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { NoCookie } from "../ui/no-cookie.tsx";
import { newPassword } from "../ui/password-fields.ts";
import { Gate } from "../ui/shell.tsx";

const t = texts.reset;
const mailedCode = takeCodeFromAddress();

const Reset = () => {
  const [cookieLost, setCookieLost] = useState(false);

  const send = async (fields: Fields): Promise<void> => {
    const { token_replaced: tokenReplaced } = await call("POST /api/me/password_reset/confirm/{code}", {
      params: { code: typedCode(fields("code")) },
      body: { password: fields("password"), keep_token: fields("keep_token") === "on" },
    });
    const notice = tokenReplaced ? "recovered" : "reset";
    if (await isCookieKept()) await leaveFor(hrefTo("profile", { notice }));
    setCookieLost(true);
  };

  if (cookieLost) return <NoCookie />;
  return (
    <Gate
      title={t.title}
      lead={t.lead}
      aside={
        <>
          {t.noCode} <a href={hrefTo("forgot")}>{t.ask}</a>
        </>
      }
    >
      <Form label={t.title} send={send}>
        <CodeField code={mailedCode} />
        <Field {...newPassword} autofocus={mailedCode !== ""} />
        <Check name="keep_token" label={t.keepToken} />
        <Submit busy={t.busy}>{t.submit}</Submit>
      </Form>
    </Gate>
  );
};

start(Reset);
