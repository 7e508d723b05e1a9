bresource "teleport_role" "access" {
  version = "v7"
  metadata = {
    name = "access"
  }
  spec = {
    options = {
      record_session = { default = "strict"
    }
  }
}
