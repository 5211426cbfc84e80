import { useState } from "preact/hooks";
import { enConnect } from "../texts/en-connect.ts";
import type { Integration } from "./form-data.ts";
import { Mark } from "./mark.tsx";

const t = enConnect.list;

/** So many are seen at a glance. */
const searchedFrom = 7;

export const IntegrationList = ({
  integrations,
  onChoose,
}: {
  readonly integrations: readonly Integration[];
  readonly onChoose: (integration: Integration) => void;
}) => {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const found = integrations.filter(({ name }) => name.toLowerCase().includes(wanted));
  return (
    <>
      {integrations.length >= searchedFrom && (
        <>
          <input
            type="search"
            aria-label={t.search}
            placeholder={t.search}
            autocomplete="off"
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
          <div role="status" class={found.length > 0 ? "for-readers" : "quiet"}>
            {wanted === "" ? "" : found.length > 0 ? t.found(found.length) : t.none(search.trim())}
          </div>
        </>
      )}
      <ul class="integrations">
        {found.map((integration) => (
          <li key={integration.key}>
            <button type="button" onClick={() => onChoose(integration)}>
              <Mark mark={integration.mark} />
              <span class="integration-name" dir="auto">
                {integration.name}
              </span>
              {integration.linked && <span class="tag good">{t.linked}</span>}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
};
