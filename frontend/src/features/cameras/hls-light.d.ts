// The light build of hls.js comes without types of its own; it is the same without subtitles, several sound tracks and DRM.
declare module "hls.js/light" {
  import Hls from "hls.js";
  export default Hls;
}
