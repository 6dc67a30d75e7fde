export const x_config: string = "config";
