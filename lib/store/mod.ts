export const x_store: string = "store";
