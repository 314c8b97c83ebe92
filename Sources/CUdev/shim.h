#pragma once
#include <errno.h>
#include <libudev.h>

// `errno` is a macro. libudev leaves the reason for a missing attribute there; it is cleared
// first, as eudev does not always set it.
static inline const char *cudev_attribute(struct udev_device *device, const char *name, int *code) {
  errno = 0;
  const char *value = udev_device_get_sysattr_value(device, name);
  *code = value ? 0 : errno;
  return value;
}
