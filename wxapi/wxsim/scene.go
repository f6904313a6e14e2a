package wxsim

import (
	"strconv"
	"strings"
)

// qrScenePrefix marks the EventKey of somebody who followed by a QR code with a scene.
const qrScenePrefix = "qrscene_"

// subscribeScene is what user/info tells about how somebody came: by a QR code when the event says so.
func subscribeScene(eventKey string) (scene, qrScene string) {
	if after, ok := strings.CutPrefix(eventKey, qrScenePrefix); ok {
		return "ADD_SCENE_QR_CODE", after
	}
	if strings.HasPrefix(eventKey, "last_trade_no_") {
		return "ADD_SCENE_PAID", ""
	}
	return "ADD_SCENE_SEARCH", ""
}

// sceneNumber is qr_scene, the scene of a code that was made with a number.
func sceneNumber(scene string) int64 {
	n, err := strconv.ParseUint(scene, 10, 32)
	if err != nil {
		return 0
	}
	return int64(n)
}

// sceneText is qr_scene_str, the scene of a code that was made with a string.
func sceneText(scene string) string {
	if sceneNumber(scene) != 0 {
		return ""
	}
	return scene
}
