export const x_remoting: string = "remoting";
