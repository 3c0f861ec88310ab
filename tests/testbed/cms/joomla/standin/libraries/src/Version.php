<?php
// STAND-IN for Joomla: which version this is.
namespace Joomla\CMS;

final class Version {
	public const PRODUCT = 'Joomla!';

	public const MAJOR_VERSION = 5;

	public const MINOR_VERSION = 1;

	public const PATCH_VERSION = 1;

	public const EXTRA_VERSION = '';

	public function getShortVersion() {
		return self::MAJOR_VERSION . '.' . self::MINOR_VERSION . '.' . self::PATCH_VERSION . self::EXTRA_VERSION;
	}
}
