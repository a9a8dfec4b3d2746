/** Pages and mails anywhere show the pixel: requests to it are not refused for the origin of their page. */
export const PIXEL_PATH = "/pixel.gif";
