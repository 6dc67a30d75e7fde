export const x_namesrv: string = "namesrv";
