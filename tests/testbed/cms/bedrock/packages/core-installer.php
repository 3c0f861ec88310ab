<?php
/** STAND-IN for roots/wordpress-core-installer: where WordPress goes. */

namespace Testbed;

use Composer\Installer\LibraryInstaller;
use Composer\Package\PackageInterface;

class INSTALLER extends LibraryInstaller {
	public function supports( string $type ) {
		return 'wordpress-core' === $type;
	}

	public function getInstallPath( PackageInterface $package ) {
		return rtrim( $this->composer->getPackage()->getExtra()['wordpress-install-dir'] ?? 'wordpress', '/' );
	}
}
