import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { hrefTo, takeCodeFromAddress, typedCode } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { CodeField, Field } from "../ui/field.tsx";
import { Form, Submit, type Fields } from "../ui/form.tsx";
import { newPassword } from "../ui/password-fields.ts";
import { Gate } from "../ui/shell.tsx";

const t = texts.undoClose;
const mailedCode = takeCodeFromAddress();

const UndoClose = () => {
  const [done, setDone] = useState<{ readonly token_replaced: boolean }>();

  const send = async (fields: Fields): Promise<void> => {
    setDone(
      await call("POST /api/me/close_account/undo/{code}", {
        params: { code: typedCode(fields("code")) },
        body: { password: fields("password") },
      }),
    );
  };

  if (done) {
    return (
      <Gate title={t.doneTitle} lead={done.token_replaced ? t.doneToken : t.done}>
        <a class="main" href={hrefTo("log-in")}>
          {t.signIn}
        </a>
      </Gate>
    );
  }
  return (
    <Gate title={t.title} lead={t.lead}>
      <Form label={t.title} send={send} sentences={{ code_refused: t.refused }}>
        <CodeField code={mailedCode} />
        <Field {...newPassword} autofocus={mailedCode !== ""} />
        <Submit busy={t.busy}>{t.submit}</Submit>
      </Form>
    </Gate>
  );
};

start(UndoClose);
