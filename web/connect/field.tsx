import { useEffect, useId, useState } from "preact/hooks";
import { enConnect } from "../texts/en-connect.ts";
import type { AskedField } from "./form-data.ts";

const t = enConnect.form;

type Props = {
  readonly name: string;
  readonly field: AskedField;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly fault: string | undefined;
  /** The section of the guide that is about this field. */
  readonly help: string | undefined;
};

/** So long nobody is asked whether what they are typing is complete. */
const pauseMs = 600;

/** What people paste beside the bare value, and the server understands: a curl line, a header, `token:api_token`. */
const isOtherPaste = (text: string): boolean => /[\s:]|^basic|^curl/i.test(text);

const matches = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`, "u").test(text);

/** A doubt, and no refusal: the server decides. */
const doubtAbout = ({ pattern, looks_like: looksLike, prefix, suffix }: AskedField, value: string) => {
  const text = value.trim();
  if (pattern === undefined || looksLike === undefined || text === "" || isOtherPaste(text)) return undefined;
  if ((prefix !== undefined && text.startsWith(prefix)) || (suffix !== undefined && text.endsWith(suffix))) {
    return undefined;
  }
  return matches(pattern, text) ? undefined : t.looksOther(looksLike);
};

/**
 * Nothing that a browser has saved for this server belongs here, and nothing that is entered here is to be saved: no
 * field is a password to the browser, and what is secret is hidden by its looks.
 */
const untouched = {
  autocomplete: "off",
  autocapitalize: "none",
  spellcheck: false,
  "data-1p-ignore": "",
  "data-bwignore": "",
  "data-lpignore": "true",
  "data-form-type": "other",
} as const;

/** Nobody has to look for their address or their password; there may be several to choose from. */
const isKnownByHeart = ({ format, keep_blanks: isPassword }: AskedField): boolean =>
  format === "email" || isPassword === true;

export const ConnectField = ({ name, field, value, onValue, fault, help }: Props) => {
  const id = useId();
  const [shown, setShown] = useState(false);
  const [paused, setPaused] = useState(false);
  // By a pause and not by leaving the field: what appears then would move the button from under the pointer.
  useEffect(() => {
    setPaused(false);
    const timer = setTimeout(() => setPaused(true), pauseMs);
    return () => clearTimeout(timer);
  }, [value]);
  const { title, description, secret = false, prefix, suffix, enum: choices } = field;
  const doubt = paused && fault === undefined ? doubtAbout(field, value) : undefined;
  const described = [
    fault === undefined ? "" : `${id}-fault`,
    doubt === undefined ? "" : `${id}-doubt`,
    description === title ? "" : `${id}-hint`,
  ].filter((part) => part !== "");
  const common = {
    id,
    name,
    value,
    "aria-invalid": fault !== undefined,
    "aria-describedby": described.length === 0 ? undefined : described.join(" "),
    "aria-required": field.optional !== true,
  };
  return (
    <div class="field">
      <label for={id}>
        {title}
        {field.optional === true && <span class="quiet"> ({t.optional})</span>}
      </label>
      {choices ? (
        <select {...common} onChange={({ currentTarget }) => onValue(currentTarget.value)}>
          <option value="">{t.choose}</option>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <span class={secret ? "with-button" : "affixed"}>
          {prefix !== undefined && <span class="affix">{prefix}</span>}
          <input
            {...common}
            {...untouched}
            type="text"
            inputMode={field.format === "email" ? "email" : undefined}
            // Of a secret it would look like one that is there already.
            placeholder={secret ? undefined : field.example}
            class={
              secret && !shown ? "masked mono" : secret || field.pattern !== undefined ? "mono" : undefined
            }
            onInput={({ currentTarget }) => onValue(currentTarget.value)}
          />
          {suffix !== undefined && <span class="affix">{suffix}</span>}
          {secret && (
            <button
              type="button"
              class="in-field"
              aria-pressed={shown}
              aria-label={t.showField(title)}
              onClick={() => setShown(!shown)}
            >
              {shown ? t.hide : t.show}
            </button>
          )}
        </span>
      )}
      {help !== undefined && (
        <span class="beside-label">
          <a
            href={help}
            target="_blank"
            rel="noopener"
            aria-label={isKnownByHeart(field) ? t.whichFor(title) : t.findFor(title)}
          >
            {isKnownByHeart(field) ? t.which : t.find}
          </a>
        </span>
      )}
      {fault !== undefined && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
      <div role="status">
        {doubt !== undefined && (
          <p class="doubt" id={`${id}-doubt`}>
            {doubt}
          </p>
        )}
      </div>
      {description !== title && (
        <p class="hint" id={`${id}-hint`}>
          {description}
        </p>
      )}
    </div>
  );
};
