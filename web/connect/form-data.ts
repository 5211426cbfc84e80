import type { Calls } from "../api.generated.ts";

export type FormData = Calls["GET /connect/form"]["answer"]["data"];
export type Integration = FormData["integrations"][number];
export type Shape = Integration["shapes"][number];
export type AskedField = Shape["fields"][string];
export type Linked = Calls["POST /api-auth/basic/{integration_key}"]["answer"];
export type Account = NonNullable<Linked["account"]>;
