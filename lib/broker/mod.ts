export const x_broker: string = "broker";
