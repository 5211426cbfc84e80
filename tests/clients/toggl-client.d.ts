// What these tests use of the npm package, which comes without types.

declare module "toggl-client" {
  type HttpClient = { extend(options: { prefixUrl: string }): HttpClient };

  export default function connect(options: { apiToken: string }): {
    httpClient: HttpClient;
    get(path: string): Promise<unknown>;
    readonly user: {
      current(): Promise<unknown>;
      update(user: Readonly<Record<string, unknown>>): Promise<unknown>;
      resetToken(): Promise<unknown>;
    };
    readonly workspaces: {
      list(): Promise<unknown>;
      get(id: number): Promise<unknown>;
    };
  };
}
