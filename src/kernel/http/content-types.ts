export const jsonType = "application/json; charset=utf-8";
export const htmlType = "text/html; charset=utf-8";
