include("$(PORT_DIR)/boards/RPI_PICO_W/manifest.py")
include("../../manifest.py", packages="client,reconnect")
