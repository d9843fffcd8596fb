include("$(MPY_DIR)/extmod/asyncio")
include("../../manifest.py", packages="all", viper=False)
