bresource "teleport_role" "ops" {
  version = "v7"
  metadata = {
    name = "ops-tf"
  }
  spec = {
    options = {
      record_session = {
        ssh = "best_effort"
        default = "strict"
        ssh = "strict"
      }
    }
  }
}
