export const x_protocol: string = "protocol";
