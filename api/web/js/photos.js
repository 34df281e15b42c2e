import "./shell.js";
import { adopt } from "./grid.js";

adopt();
